#!/usr/bin/env bash
# Trains one run on several machines of a Slurm cluster: sbatch --nodes 4 docs/launch/slurm.sh --data /shared/faces ...
# Submit it from the top folder of a checkout that all machines share, with its .venv.
#SBATCH --job-name=faces
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
# For GPUs, add: #SBATCH --gpus-per-node=...
#SBATCH --signal=TERM@120
set -euo pipefail

# A port from the number of the job, so that two jobs on one machine do not meet.
PORT=$((20000 + SLURM_JOB_ID % 20000))
WORKERS=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$PORT\"/" | paste -sd,)
export WORKERS

# Each task knows its own place. Slurm sends SIGTERM two minutes before the time is over: the run stops after the epoch.
# shellcheck disable=SC2016
exec srun --kill-on-bad-exit=0 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" bash -c '
    export TF_CONFIG="{\"cluster\": {\"worker\": [$WORKERS]}, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
    exec .venv/bin/python train.py --distribute multiworker "$@"
' worker "$@"
