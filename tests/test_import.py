"""`import bnnotes` loads numpy and nothing heavier."""

import subprocess
import sys

import bnnotes

HEAVY = (
    *("matplotlib", "ipywidgets", "IPython", "sklearn", "scipy", "PIL", "tqdm"),
    *("autograd", "torch", "jax", "tomllib"),
)
FORMULAS = (
    *("activations", "baseline", "batchnorm", "check"),
    *("geometry", "network", "propagation", "sample_space"),
)


def loaded_by(code):
    """Names of the modules that a fresh Python has after this code."""
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stderr == ""
    return set(printed.stdout.split())


def test_import_bnnotes():
    loaded = loaded_by("import bnnotes")
    assert "numpy" in loaded
    assert not loaded & set(HEAVY)
    # Beyond numpy's own, nothing but the package itself.
    assert loaded - loaded_by("import numpy, importlib") == {"bnnotes"}


def test_all_formulas_load_numpy_alone():
    loaded = loaded_by(f"from bnnotes import {', '.join(FORMULAS)}")
    assert not loaded & set(HEAVY)
    assert loaded >= {f"bnnotes.{name}" for name in FORMULAS}


def test_modules_are_attributes():
    for name in bnnotes.__all__:
        assert getattr(bnnotes, name).__name__ == f"bnnotes.{name}"
        assert name in dir(bnnotes)


def test_an_unknown_attribute():
    try:
        bnnotes.no_such_module  # noqa: B018
    except AttributeError as error:
        assert "no_such_module" in str(error)
    else:
        raise AssertionError("no error")


SURFACE = {
    "activations": "sigmoid tanh relu identity Activation",
    "baseline": "cross_entropy cross_entropy_from_logits boundary_error output_error affine "
    "weight_gradient bias_gradient previous_error",
    "sample_space": "mixing_matrix mix",
    "batchnorm": "Normalized Gradients normalize forward kernel weight_jacobian backward "
    "input_error gamma_gradient beta_gradient weight_gradient previous_error",
    "geometry": "Angles standardize correlation angle sample_angles weight_gradient "
    "baseline_weight_gradient gamma_gradient",
    "propagation": "previous_error_from_angles node_magnitude",
    "network": "Network create cost_and_gradients train predict population_statistics",
    "check": "complex_step central_difference compare",
    "ledger": "rows row box",
}


def test_public_surface():
    for module, names in SURFACE.items():
        for name in names.split():
            assert hasattr(getattr(bnnotes, module), name), f"{module}.{name}"
