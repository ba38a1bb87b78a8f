"""The report of a run: one HTML page with the theory, the settings, the figures, the numbers and an analysis."""

from vae_keras.report.blocks import Chapter, Section
from vae_keras.report.document import report_page
from vae_keras.report.pdf import find_browser, print_pdf
from vae_keras.report.theory import read_pages

__all__ = ["Chapter", "Section", "find_browser", "print_pdf", "read_pages", "report_page"]
