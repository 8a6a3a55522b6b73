# SPDX-License-Identifier: Apache-2.0
import sys

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402


def main():
    x = np.linspace(0, 2 * np.pi, 200)
    figure, axes = pyplot.subplots(figsize=(6.4, 4.8), dpi=100)
    axes.plot(x, np.sin(x), label="sin")
    axes.plot(x, np.cos(x), label="cos")
    axes.set_title("Two curves")
    axes.legend()
    figure.savefig(sys.argv[1])
    print(f"{len(x)} points, maximum {np.sin(x).max():.3f}")
