"""How much of a model a gesture reaches, and how well it plays: numbers, figures and one page.

Read `report.make_report` first. `coverage` holds the definition and `neighbours` the engine under it, `intervals` and
`significance` how sure the numbers are, `hearing` what the decoder makes of it, and `study` many reports side by side.
"""
