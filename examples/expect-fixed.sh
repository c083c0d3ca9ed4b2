#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest, with the patch: right if the reproducer doesn't see the flaw.
exec ./reproducer
