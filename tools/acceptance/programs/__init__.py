# SPDX-License-Identifier: Apache-2.0
"""Programs that run in the environments of the services, and import nothing of ours."""
