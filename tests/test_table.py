"""One table in three forms."""

from bnnotes import table


def test_text_stands_in_columns():
    lines = [("", "exact", "yours"), ("third", "0.33", ""), ("a", "1", "1")]
    assert table.text(lines) == "       exact  yours\nthird  0.33\na      1      1"


def test_the_hat_of_x_takes_no_column():
    assert table.text([("x\u0302", "1"), ("dx", "2")]) == "x\u0302   1\ndx  2"


def test_markdown_puts_a_list_in_one_cell_line_by_line():
    shown = table.markdown(("id", "tests"), ("S1", ["`a`", "`b`"]), ("S2", "none"))
    assert shown == "| id | tests |\n| --- | --- |\n| S1 | `a`<br>`b` |\n| S2 | none |"


def test_html_names_columns_and_rows_and_escapes_the_names_alone():
    shown = table.html(("x < y", "seen"), ("γ & β", "<b>missed</b>"))
    assert '<th scope="col" style="text-align:left">x &lt; y</th>' in shown
    assert '<th scope="row" style="text-align:left">γ &amp; β</th>' in shown
    assert '<td style="text-align:left"><b>missed</b></td>' in shown
    assert shown.count("<tr>") == shown.count("</tr>") == 2
