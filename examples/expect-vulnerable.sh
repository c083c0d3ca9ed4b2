#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs in the guest, without the patch: right if the reproducer sees the flaw.
./reproducer
test $? -eq 1
