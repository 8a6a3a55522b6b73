# SPDX-License-Identifier: Apache-2.0
STYLE = "Ahoy, {name}!"
