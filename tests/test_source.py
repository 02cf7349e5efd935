"""Readers are shown the code that runs."""

import pytest

from bnnotes import baseline, batchnorm, sample_space
from bnnotes.source import show


def test_the_real_source_without_the_docstring():
    shown = repr(show(batchnorm.weight_gradient))
    assert shown.startswith('@checked(delta="M_B n", ')
    assert "def weight_gradient(delta, u_prev, normalized, gamma):" in shown
    assert "center(u_prev)" in shown
    assert '"""' not in shown
    assert "Parameters" not in shown


def test_it_runs():
    """What is shown, executed, computes the same."""
    namespace = dict(vars(sample_space))
    code = repr(show(sample_space.split, sample_space.mix))
    exec(compile(code, "shown", "exec"), namespace)
    arguments = [[1.0], [-1.0], [0.0]], [[0.3], [5.0], [2.0]]
    shown = namespace["mix"](*arguments)
    assert namespace["mix"] is not sample_space.mix
    assert (shown == sample_space.mix(*arguments)).all()


def test_several():
    one, two = show(baseline.affine), show(baseline.bias_gradient)
    assert repr(show(baseline.affine, baseline.bias_gradient)) == f"{one!r}\n\n\n{two!r}"


def test_classes_and_comments():
    shown = repr(show(sample_space.Split, sample_space.sample_mean))
    assert "along_x_hat: np.ndarray" in shown
    assert "Attributes" not in shown
    assert "# A product with ones" in shown


def test_markdown_is_python():
    markdown = show(baseline.affine)._repr_markdown_()
    assert markdown.startswith("```python\n@checked(")
    assert markdown.endswith("return plus(u_prev.dot(W.T), b)\n```")


def test_what_has_no_source():
    with pytest.raises(ValueError, match="functions: got <built-in function len>, wanted"):
        show(len)
