"""Runs Debian's AWS CLI as newer releases are: without lookoutvision."""

import os
import sys
import tempfile

import awscli.clidriver
import botocore.loaders  # the CLI's own, once it is imported

real = botocore.loaders.Loader.BUILTIN_DATA_PATH
with tempfile.TemporaryDirectory() as shown:
    for name in os.listdir(real):
        if name != "lookoutvision":
            os.symlink(os.path.join(real, name), os.path.join(shown, name))
    botocore.loaders.Loader.BUILTIN_DATA_PATH = shown
    status = awscli.clidriver.main()
sys.exit(status)
