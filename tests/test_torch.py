"""What the text shows in PyTorch runs, where torch is installed, and prints what stands below."""

import contextlib
import io
import re
from pathlib import Path

import pytest

TEXT = Path(__file__).parent.parent / "src" / "text"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
LONGEST = 14  # lines of a block


def blocks(path):
    """Code and stored output of each block that mentions torch, in the order of the chapter."""
    pairs = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [pair for pair in pairs if "torch." in pair[0]]


CHAPTERS = {path.stem: found for path in sorted(TEXT.glob("*.md")) if (found := blocks(path))}
chapters = pytest.mark.parametrize("name", CHAPTERS)


def test_torch_stands_where_gradients_are_written():
    written = {"2_batch_normalization", "7_wrong_gradients", "8_normalizers"}
    assert written <= CHAPTERS.keys()


@chapters
def test_a_block_is_short_and_something_is_shown(name):
    assert any(shown for _, shown in CHAPTERS[name])
    for code, _ in CHAPTERS[name]:
        assert len([line for line in code.splitlines() if line]) <= LONGEST


def run(name):
    """What each block prints, and what all of them define."""
    printed, space = [], {}
    for code, _ in CHAPTERS[name]:
        sink = io.StringIO()
        with contextlib.redirect_stdout(sink):
            exec(compile(code, name, "exec"), space)
        printed.append(sink.getvalue())
    return printed, space


@chapters
def test_the_blocks_of_a_chapter_print_what_is_shown(name):
    pytest.importorskip("torch")
    printed, _ = run(name)
    assert printed == [shown for _, shown in CHAPTERS[name]]


def test_the_function_keeps_one_array_as_torch_does_where_the_steps_keep_three():
    torch = pytest.importorskip("torch")
    _, space = run("2_batch_normalization")
    x = torch.arange(24.0).reshape(8, 3).requires_grad_()
    gamma, beta = torch.ones(3, requires_grad=True), torch.zeros(3, requires_grad=True)

    def by_steps(x, gamma, beta):
        return gamma * ((x - x.mean(0)) / x.var(0, unbiased=False).sqrt()) + beta

    def arrays(function):
        kept = {}
        with torch.autograd.graph.saved_tensors_hooks(
            lambda v: kept.setdefault(v.data_ptr(), v), lambda v: v
        ):
            function(x, gamma, beta)
        return [v.shape for v in kept.values()].count(x.shape)

    def fused(x, gamma, beta):
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True)

    functions = by_steps, space["BatchNorm"].apply, fused
    assert [arrays(function) for function in functions] == [3, 1, 1]


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_the_kernel_of_chapter_8_is_the_rms_norm_of_pytorch(shape):
    torch = pytest.importorskip("torch")
    _, space = run("8_normalizers")
    draw = torch.Generator().manual_seed(0)
    x, gamma = (torch.randn(n, generator=draw, dtype=float) for n in (shape, shape[-1:]))
    x, gamma = x.requires_grad_(), gamma.requires_grad_()
    ours = space["KeepsX"].apply(x, gamma)
    theirs = torch.nn.functional.rms_norm(x, shape[-1:], gamma, 1e-6)
    delta = torch.randn(shape, generator=draw, dtype=float)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(
        torch.autograd.grad(ours, (x, gamma), delta),
        torch.autograd.grad(theirs, (x, gamma), delta),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
