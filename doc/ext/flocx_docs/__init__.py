# SPDX-License-Identifier: Apache-2.0
"""Reference pages made from the code: what the code declares is written down by nobody twice."""
