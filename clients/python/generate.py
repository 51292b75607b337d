"""Generates tutti/v1 from proto/tutti/v1; the same protos give the same files.

    pip install 'grpcio-tools==1.76.0' && python generate.py
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

# Generated code asks for the libraries of its generator or later: an old one serves most.
TOOLS_VERSION = "1.76.0"

HERE = Path(__file__).resolve().parent
PROTOS = HERE.parent.parent / "proto"
PACKAGE = HERE / "tutti" / "v1"


def main() -> None:
    """Replaces every generated file."""
    found = version("grpcio-tools")
    if found != TOOLS_VERSION:
        sys.exit(f"grpcio-tools {TOOLS_VERSION} is needed, {found} is installed")
    sources = sorted(PROTOS.glob("tutti/v1/*.proto"))
    if not sources:
        sys.exit(f"no protos in {PROTOS}")
    for old in PACKAGE.glob("*_pb2*"):
        old.unlink()
    services = [source for source in sources if "\nservice " in source.read_text()]
    compile_to([f"--python_out={HERE}", f"--pyi_out={HERE}"], sources)
    compile_to([f"--grpc_python_out={HERE}"], services)


def compile_to(outputs: list[str], sources: list[Path]) -> None:
    """Runs protoc, or ends the program with what it said."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{PROTOS}", f"-I{well_known}", *outputs]
    if protoc.main([*arguments, *map(str, sources)]) != 0:
        sys.exit("protoc failed")


if __name__ == "__main__":
    main()
