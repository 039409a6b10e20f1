"""The embedded text-to-image model: transparent stickers and icons, drawn on a CPU.

`family.py` is what the studio loads; `icons.py`, `captions.py`, `dataset.py` and `train.py` make the weights.
"""
