"""What the scripts and both packages share: errors, atomic files, the command line, figure style, Markdown to HTML.

This file imports nothing, because `common.installed` has to run before any other package is imported.
"""
