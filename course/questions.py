"""The questions of the assignment that code answers: the part of each, and the tests that check the answer.

The names are those of the markers in the source code (`course.regions`). The order is one in which students can answer
the questions.
"""

from typing import NamedTuple


class Question(NamedTuple):
    """A question that a marked region answers.

    Attributes:
        part: the part of the assignment.
        tests: tests that fail without the answer and pass with it, as arguments of pytest.
        needs: other answers that these tests need, too.
    """

    part: str
    tests: tuple[str, ...]
    needs: tuple[str, ...] = ()


def _in(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{file}::test_{name}" for name in names)


QUESTIONS: dict[str, Question] = {
    "the logarithm of the joint": Question(
        "1.1",
        _in(
            "pgm_tfp/test_networks.py",
            "the_joint_and_log_prob_are_the_product_of_the_tables",
            "what_never_happens_has_a_log_prob_of_minus_infinity",
        ),
    ),
    "what a node on a trail does, and whether it blocks": Question(
        "1.1",
        _in(
            "pgm_tfp/independence/test_directed.py",
            "a_chain_and_a_fork_let_pass_unless_observed",
            "a_collider_blocks_unless_observed",
            "a_collider_lets_pass_where_a_descendant_is_observed_and_the_reason_names_it",
        ),
    ),
    "what active trails reach": Question(
        "1.1",
        _in("pgm_tfp/independence/test_directed.py", "d_separation_is_that_of_networkx"),
    ),
    "one step of variable elimination": Question(
        "1.1",
        _in(
            "pgm_tfp/test_elimination.py",
            "summing_out_leaves_the_sum_over_the_kept_variables",
            "products_beyond_float64_are_right",
        ),
    ),
    "the Markov blanket in a directed graph": Question(
        "1.3",
        _in("pgm_tfp/independence/test_maps.py", "the_blanket_shields_a_variable_and_no_part_of_it_does"),
    ),
    "a Bayesian network as a Markov network": Question(
        "1.3",
        _in("pgm_tfp/test_markov.py", "the_moralised_network_has_the_same_joint_and_the_moral_graph"),
    ),
    "why no edge of a perfect I-map can go": Question(
        "1.4",
        _in("pgm_tfp/test_answers.py", "the_proof_of_the_bonus_speaks_of_both_kinds_of_network"),
    ),
    "the log density of a normal distribution": Question(
        "2.1",
        _in("vae_keras/test_gaussians.py", "density_agrees_with_scipy"),
    ),
    "the KL in closed form": Question(
        "2.1",
        _in(
            "vae_keras/test_gaussians.py",
            "kl_agrees_with_an_independent_implementation",
            "kl_agrees_with_monte_carlo",
        ),
    ),
    "the negative log-likelihood of Bernoulli pixels": Question(
        "2.1",
        _in(
            "vae_keras/test_likelihoods.py",
            "bernoulli_agrees_with_an_independent_implementation",
            "bernoulli_is_a_distribution_over_binary_pictures",
            "bernoulli_stays_finite_at_extreme_logits",
        ),
    ),
    "the negative log-likelihood of Gaussian pixels": Question(
        "2.1",
        _in("vae_keras/test_likelihoods.py", "gaussian_agrees_with_an_independent_implementation"),
        needs=("the log density of a normal distribution",),
    ),
    "the ELBO from its two terms": Question(
        "2.1",
        _in("vae_keras/objectives/test_objectives.py", "the_plain_loss_is_the_negative_elbo"),
    ),
    "the reparameterisation trick": Question(
        "2.1",
        _in(
            "vae_keras/test_sampling.py",
            "samples_have_the_mean_and_the_variance_they_are_given",
            "samples_are_differentiable_in_mean_and_log_variance",
            "the_seed_decides_the_noise_and_each_call_draws_anew",
        ),
    ),
    "the encoder of the table": Question(
        "2.1",
        _in(
            "vae_keras/architectures/test_table.py",
            "layers_and_activations_are_those_of_the_table",
            "shapes_go_in_and_come_out",
        ),
        needs=("the decoder of the table",),
    ),
    "the decoder of the table": Question(
        "2.1",
        _in(
            "vae_keras/architectures/test_table.py",
            "layers_and_activations_are_those_of_the_table",
            "shapes_go_in_and_come_out",
        ),
        needs=("the encoder of the table",),
    ),
    "the direction of an attribute": Question(
        "2.1",
        _in("vae_keras/test_latent.py", "the_direction_of_an_attribute_is_the_difference_of_class_means"),
    ),
    "the arc from one latent to another": Question(
        "2.1",
        _in(
            "vae_keras/test_latent.py",
            "the_spherical_path_keeps_the_norm_and_turns_evenly",
            "along_a_line_through_the_origin_the_spherical_path_is_straight",
        ),
    ),
    "the loss of the beta-VAE": Question(
        "2.2",
        _in("vae_keras/objectives/test_objectives.py", "beta_prices_the_kl_alone"),
        needs=("the ELBO from its two terms",),
    ),
    "the log weights of minibatch-stratified sampling": Question(
        "2.2",
        _in(
            "vae_keras/test_total_correlation.py",
            "stratified_rows_sum_to_one_and_an_image_counts_for_itself",
            "a_batch_of_all_images_has_the_exact_weights",
            "over_all_batches_the_stratified_density_is_that_of_the_aggregate_posterior",
            "the_weights_are_those_of_chen_et_al_averaged_over_the_image_they_single_out",
        ),
    ),
    "codes permuted across the batch": Question(
        "2.2",
        _in(
            "vae_keras/objectives/test_factor_vae.py",
            "each_latent_is_permuted_across_the_batch_on_its_own",
            "permuted_latents_are_uncorrelated",
        ),
    ),
}
