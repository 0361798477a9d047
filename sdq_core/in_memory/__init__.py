"""Data that lie in memory, judged by the same engine as files: ``sdq_core.evaluate(...)``.

`evaluating` is the function; `data` takes arrays, tensors, data sets and loaders apart item by
item, `columns` what is known of them; `stacks` writes them for a modality to list, `spawning`
chooses the engine, `callable_module` lets the name be both a module and the function.
"""
