"""The pictures of the errata: how far each row is off, as printed and as it should read."""

from __future__ import annotations

import numpy as np

from . import look

NOTHING, LARGEST = 1e-18, 1e2  # where 0 is drawn, and the end of the axis
PRINTED = {"marker": "x", "color": look.INK, "ms": 5, "mew": 1}
CORRECTED = {"marker": "o", "color": look.INK, "ms": 4, "mfc": "white", "mew": 0.8}


@look.settings()
def errors(names, printed, corrected, bound, right):
    """Return the `Picture` of the errors of every row over random cases, on a logarithmic axis.

    `names` go from top to bottom, the errors have shape (rows, cases); a line at `bound` parts the
    two groups, and the second is called `right`.
    """
    height = 0.9 + 0.21 * len(names)
    figure, ax = look.chart(8.0, height, left=0.41, right=0.97, bottom=0.6 / height, top=0.94)
    rows = np.arange(len(names))
    for values, marks in ((printed, PRINTED), (corrected, CORRECTED)):
        ax.plot(np.maximum(values, NOTHING), rows, linestyle="none", clip_on=False, **marks)
    ax.axvline(bound, color=look.BASELINE.color, lw=look.THIN, linestyle="--")
    ax.set(xscale="log", xlim=(NOTHING, LARGEST), ylim=(len(names) - 0.5, -0.5))
    ticks = {NOTHING: "0", 1e-15: "1e-15", bound: f"{bound:g}", 1e-6: "1e-6", 1e-3: "1e-3", 1: "1"}
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.minorticks_off()
    ax.set_yticks(rows, names)
    ax.tick_params(axis="y", length=0, pad=9)
    ax.set_xlabel("relative error")
    for x, text, marks in ((1e-15, right, CORRECTED), (0.3, "as printed", PRINTED)):
        ax.plot([x / 12], [-1.1], clip_on=False, **marks)
        ax.text(x / 6, -1.1, text, va="center")
    return look.still(
        figure,
        f"{len(names)} rows of the ledger, {np.shape(printed)[1]} random cases each. "
        f"As printed every error is above {np.min(printed):.0e}. "
        f"{right.capitalize()} every error is below {bound:g}.",
    )
