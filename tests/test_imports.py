"""Imports run one way, and the two packages do not meet."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each module may import those on earlier lines, and its neighbours inside one package.
ORDER = {
    "common": [
        ["errors"],
        ["estimates", "files", "names", "installed", "quiet", "lazy", "figures", "ranges", "text_section", "progress"],
        ["command_line", "documents", "page_parts"],
        ["page_server"],
    ],
    "data": [
        ["factors", "solids", "image_formats", "image_names", "images"],
        ["dataset", "split", "pipelines", "image_files", "attribute_tables"],
        ["face_shapes", "attributes", "decoding"],
        ["face_painting"],
        ["faces"],
        ["image_cache"],
        ["rendered_faces", "image_folder", "downloads"],
        ["sources"],
        ["__main__"],
    ],
    "vae_keras": [
        ["backend", "keras_private", "cluster"],
        ["replicas"],
        ["registry", "optimizers", "seeded_layers", "gaussians"],
        ["optimization"],
        ["priors", "likelihoods", "total_correlation", "elbo"],
        ["linear_vae"],
        ["architectures"],
        ["types", "sampling"],
        ["objectives"],
        ["parts"],
        ["model"],
        ["config", "latent", "pictures", "distributed"],
        ["config_file", "resuming", "run_data", "feature_spaces"],
        ["augmented", "run_folder", "metrics"],
        ["runs", "prior_fitting", "directions"],
        ["plots"],
        ["callbacks", "evaluation"],
        ["training", "command_line"],
        ["processes"],
        ["report", "explorer"],
        ["launch", "factor_networks"],
    ],
    "pgm_tfp": [
        ["backend", "memory", "states", "bif_statements", "html_tables"],
        ["results"],
        ["graphs", "potentials", "conditionals"],
        ["diagrams", "layouts"],
        ["network_svg"],
        ["triangulation", "joint_distributions"],
        ["elimination", "bif", "uai"],
        ["pgmpy_models"],
        ["networks"],
        ["markov"],
        ["catalogue", "independence", "exact"],
        ["maximisation"],
        ["notation", "approximate", "variational", "learning", "network_files"],
        ["observations", "plots"],
        ["answers", "diagnosis"],
        ["comparisons", "learning_report", "explorer"],
        ["commands"],
        ["__main__"],
    ],
}
FORBIDDEN = {
    "common": ["data", "vae_keras", "pgm_tfp", "course", "tensorflow", "keras"],
    "data": ["vae_keras", "pgm_tfp", "course"],
    "vae_keras": ["pgm_tfp", "course", "tensorflow_probability", "tf_keras"],
    "pgm_tfp": ["data", "vae_keras", "course", "keras", "tf_keras"],
}

MODULES = [(package, path) for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))]


def imported_by(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module in ORDER)


def unit_of(package, path):
    return path.relative_to(ROOT / package).with_suffix("").parts[0]


@pytest.mark.parametrize(
    ("package", "path"), MODULES, ids=lambda value: value.stem if isinstance(value, Path) else value
)
def test_a_module_imports_only_what_comes_before_it(package, path):
    rank = {unit: place for place, units in enumerate(ORDER[package]) for unit in units}
    unit = unit_of(package, path)
    imported = list(imported_by(path))
    assert not [name for name in imported if name.split(".")[0] in FORBIDDEN[package]]
    if unit == "__init__":
        return
    assert unit in rank, f"{unit} has no place in the order"
    for name in imported:
        parts = name.split(".")
        if parts[0] == package and len(parts) > 1 and parts[1] in rank and parts[1] != unit:
            assert rank[parts[1]] < rank[unit], f"{path} imports {name}"


PACKAGES = [path for _, path in MODULES if path.name == "__init__.py"]


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_a_package_exports_no_name_that_hides_one_of_its_modules(path):
    modules = {module.stem for module in path.parent.glob("*.py")}
    modules |= {module.parent.name for module in path.parent.glob("*/__init__.py")}
    package = ".".join(path.parent.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        # `from package import module` binds the module itself.
        if isinstance(node, ast.ImportFrom) and node.module != package:
            hidden = modules & {alias.asname or alias.name for alias in node.names}
            assert not hidden, f"{path} hides {hidden}"


@pytest.mark.parametrize(
    ("package", "path"), MODULES, ids=lambda value: value.stem if isinstance(value, Path) else value
)
def test_only_keras_private_imports_private_modules_of_keras(package, path):
    private = [name for name in imported_by(path) if name.startswith("keras.src")]
    assert not private or (package, path.stem) == ("vae_keras", "keras_private")
