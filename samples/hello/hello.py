# SPDX-License-Identifier: Apache-2.0
"""The smallest application."""

print("hello")
