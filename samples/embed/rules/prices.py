# SPDX-License-Identifier: Apache-2.0
"""The rules that a C program does not want to have in C."""

import json
import sys
from importlib.resources import files

RATES = json.loads(files("price_list").joinpath("rates.json").read_text())


def price(item: str, count: int) -> float:
    """What `count` of `item` cost: a tenth less from ten on."""
    if count < 1:
        raise ValueError(f"{count} is no number of things")
    total = RATES[item] * count
    return round(total * 0.9 if count >= 10 else total, 2)


def main() -> None:
    for argument in sys.argv[1:]:
        item, _, count = argument.partition("=")
        print(f"{argument}: {price(item, int(count)):.2f}")
