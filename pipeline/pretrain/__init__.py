"""`dinostream pretrain`: pictures and footage -> a backbone that learnt from them without labels.

Start at `run.pretrain`. What a step is lies in `operators/pretrain/`.
"""
