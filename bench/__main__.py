"""``make bench``: every figure, as a ratio against a limit or peer measured in the same run."""

import argparse
import importlib
import pkgutil
import sys

import bench


def names() -> list[str]:
    """The benches there are: the modules of this package that have a ``main``."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.name.startswith("_")
    )


def main() -> int:
    """Run the benches named, or all; 1 when any misses its floor."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*names(), []], help="run only these")
    missed = 0
    for name in parser.parse_args().only or names():
        print(f"\n{name}", flush=True)
        missed += importlib.import_module(f"bench.{name}").main()
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
