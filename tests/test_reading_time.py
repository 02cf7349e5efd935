"""A chapter takes the minutes that it says, counts its figures, and cites from the literature."""

import re
from pathlib import Path

import pytest

TEXT = Path(__file__).parent.parent / "src" / "text"
CHAPTERS = {path.stem: path.read_text(encoding="utf-8") for path in TEXT.glob("[0-9]_*.md")}
START = CHAPTERS["0_start_here"]
WORDS, MARGIN = 200, 0.2  # a minute; of what is counted
LONGEST, MOST = 3500, 50  # words and code cells of a chapter
PAPER = re.compile(r"https://arxiv\.org/abs/([\d.]+)")
chapters = pytest.mark.parametrize("name", CHAPTERS)


def prose(text):
    """The text without its code; a formula is one word."""
    text = re.sub(r"^```.*?^```$", "", text.split("---\n", 2)[2], flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\$\$.+?\$\$|\$[^$]+\$", " formula ", text, flags=re.DOTALL)


def words(text):
    return len(re.findall(r"\w+", re.sub(r"\]\([^)]*\)|</?\w+>", " ", prose(text))))


def plain(text):
    """All words outside the code cells, by spaces: formulas, listings and what unfolds too."""
    read = text.split("---\n", 2)[2]
    return len(re.sub(r"^```{code-cell}.*?^```$", "", read, flags=re.DOTALL | re.MULTILINE).split())


def cells(text):
    return len(re.findall(r"^```{code-cell}", text, flags=re.MULTILINE))


def minutes(text):
    """Words at their rate, and 1 an equation or figure, 4 an exercise, 1/2 a cell of code."""
    text, _, _ = text.partition("\n## Literature")
    equations = len(re.findall(r"^\$\$", text, flags=re.MULTILINE)) / 2
    figures = len(re.findall(r"^\*\*Figure ", text, flags=re.MULTILINE))
    exercises = len(re.findall(r"^\*\*\d\.\d+\*\*", text, flags=re.MULTILINE))
    return words(text) / WORDS + equations + figures + 4 * exercises + cells(text) / 2


def stated(text):
    (number,) = re.findall(r"^\*\*Time\.\*\* About (\d+) minutes", text, flags=re.MULTILINE)
    return int(number)


def test_the_rule():
    text = "---\nhead\n---\n" + "one two $x$ " * 100 + "\n$$\na\n$$\n```py\nmany many\n```\n"
    assert words(text) == 301
    assert minutes(text) == 301 / 200 + 1
    assert minutes(text + "```{code-cell}\nmany\n```\n") == minutes(text) + 1 / 2
    assert plain(text) == 300 + 3 + 4  # the dollars and backticks too
    assert plain(text + "```{code-cell}\nmany\n```\n") == plain(text)
    assert minutes(text + "**Figure 1.** \n**1.2** \n## Literature\nmany\n") > minutes(text) + 5


@chapters
def test_a_chapter_takes_what_it_says(name):
    counted = minutes(CHAPTERS[name])
    assert stated(CHAPTERS[name]) == pytest.approx(counted, rel=MARGIN), f"counted: {counted:.0f}"


def test_a_chapter_is_no_longer_than_one_reads():
    texts = CHAPTERS.items()
    assert not {name for name, t in texts if plain(t) > LONGEST or cells(t) > MOST}


@chapters
def test_figures_and_exercises_are_counted_through(name):
    for heading in (r"^\*\*Figure (\d\.\d+)\.\*\*", r"^\*\*(\d\.\d+)\*\*"):
        found = re.findall(heading, CHAPTERS[name], flags=re.MULTILINE)
        assert found == [f"{name[0]}.{k}" for k in range(1, len(found) + 1)]


@chapters
def test_the_map_says_the_same(name):
    row = rf"^\| \[?{name[0]} [^|]*\|[^|]*\| (\d+) \|"
    assert re.findall(row, START, flags=re.MULTILINE) == [str(stated(CHAPTERS[name]))]


def test_the_evening_takes_what_its_chapters_take():
    (row,) = re.findall(r"\*\*One evening\.\*\*\nChapters ([\d, and]+):(.*?)\n\n", START, re.DOTALL)
    taken = [stated(text) for name, text in CHAPTERS.items() if name[0] in row[0]]
    assert len(taken) == 5 and f"it is {sum(taken)} minutes" in row[1]


@chapters
def test_every_paper_that_is_cited_stands_in_the_literature(name):
    body, _, literature = START.partition("\n## Literature")
    cited = body if name == "0_start_here" else CHAPTERS[name]
    assert set(PAPER.findall(cited)) <= set(PAPER.findall(literature))


def test_the_literature_names_a_paper_once_and_by_one_number():
    lines = re.findall(r"^- .*arXiv.*$", START, flags=re.MULTILINE)
    numbers = [PAPER.findall(line) + re.findall(r"\[arXiv:([\d.]+)\]", line) for line in lines]
    assert all(linked == printed for linked, printed in numbers)
    assert len({linked for linked, _ in numbers}) == len(lines) > 10
