"""The command `typst compile`, with the flags of Typst's own program, over its Python package."""
import argparse
import sys

import typst

main = argparse.ArgumentParser(prog="typst")
main.add_argument("-V", "--version", action="version", version="typst (Python package)")
compile = main.add_subparsers(required=True).add_parser("compile")
compile.add_argument("input")
compile.add_argument("output")
compile.add_argument("--root")
compile.add_argument("--format", default="pdf")
compile.add_argument("--ignore-system-fonts", action="store_true")
compile.add_argument("--creation-timestamp", type=int)
compile.add_argument("--pdf-standard", default="", type=lambda text: text.split(","))
given = main.parse_args()
try:
    typst.compile(given.input, given.output, root=given.root, format=given.format, ignore_system_fonts=given.ignore_system_fonts,
                  timestamp=given.creation_timestamp, pdf_standards=given.pdf_standard)
except typst.TypstError as err:
    sys.exit(err.diagnostic or str(err))
