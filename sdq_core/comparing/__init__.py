"""Results beside each other: what changed beyond its interval, and how generators rank.

`comparable` says what keeps results from being compared, `changes` compares two, `ranking` sets
several side by side; `table`, `markdown`, `machine` and `page` write what was found, in the words
of `words`. Nothing is measured again: all of it comes from results.
"""
