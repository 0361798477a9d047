"""From cells, which are texts, to typed columns: whole columns at a time, never cell by cell.

Each column is reduced to its distinct texts. A survey of them decides what a comma or 03/04/2021
means in this column, and every cell is then read in that one way.
"""
