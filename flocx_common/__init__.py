# SPDX-License-Identifier: Apache-2.0
"""What both FLOCX services share; it knows neither of them."""
