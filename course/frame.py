"""The HTML page of a hand-out: one file for screen and paper, light and dark, that needs only a browser."""

from html import escape

GENERATOR = "course.student_edition"
STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --page: #ffffff; --faint: #59636e; --line: #d1d9e0; --tint: #f6f8fa }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --page: #14171b; --faint: #9ba3ad; --line: #363c44; --tint: #1e2329 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 1.05rem/1.6 Georgia, "Times New Roman", serif }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; overflow-wrap: break-word }
h1, h2, h3 { font-family: system-ui, sans-serif; line-height: 1.25; text-wrap: balance }
h1 { font-size: 2rem; margin: 0 0 1.5rem }
h2 { font-size: 1.45rem; margin: 3rem 0 1rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
li { margin: .3rem 0 }
a { color: inherit }
code, pre { font: .86em/1.5 ui-monospace, Menlo, Consolas, monospace; background: var(--tint); border-radius: 4px }
code { padding: .1em .3em }
pre { padding: .8rem 1rem; overflow-x: auto; border: 1px solid var(--line) }
pre code { padding: 0; font-size: 1em; background: none }
.wide { overflow-x: auto; margin: 1.2rem 0 }
.caption { margin: 1.4rem 0 -.7rem; color: var(--faint); font-size: .92em }
table { border-collapse: collapse; font-size: .92em }
th, td { padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { font-family: system-ui, sans-serif; font-size: .92em; white-space: nowrap }
math[display="block"] { margin: 1rem 0; overflow-x: auto; overflow-y: hidden; max-width: 100% }
@media (max-width: 40rem) { body { font-size: 1rem } main { padding-top: 1.25rem } h1 { font-size: 1.6rem } }
@media print { main { max-width: none; padding: 0 } h2, h3, .caption { break-after: avoid } }
"""


def framed(title: str, body: str) -> str:
    """A complete page.

    Args:
        title: the title of the page, as text.
        body: the content of the page, as HTML.
    """
    # On a phone, a wide table gets a scroll bar of its own; without the <div>, the whole page would scroll.
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="{GENERATOR}">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
