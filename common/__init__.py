"""What the scripts and both packages share: errors, files written whole, the command line, figures, Markdown.

It imports nothing, so that `common.installed` can say what is missing before an import fails.
"""
