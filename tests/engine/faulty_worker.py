"""A worker that also knows the faulty family: started by ProcessExecutor instead of the real module."""

import sys
from importlib import util
from pathlib import Path

faulty = util.spec_from_file_location("genai_studio.models.faulty", Path(__file__).with_name("faulty.py"))
module = util.module_from_spec(faulty)
sys.modules[faulty.name] = module
faulty.loader.exec_module(module)

if __name__ == "__main__":
    from genai_studio.engine.worker import main

    main()
