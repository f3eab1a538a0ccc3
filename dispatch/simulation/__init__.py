"""Compare alert policies on a seed before one of them holds (docs/simulation.md).

world     every number that is not the policy's
draws     random numbers that belong to an incident and a purpose, not to an order
poisson   incidents on Poisson fields; `registry`: on a real place
play      one incident, event by event, by the product's own choosers and escalation
run       many of them, on any number of processes, with the same result
tally     figures with standard errors and paired differences
report    the whole as JSON; `charts` and `page`: as one page to read and print
jobs      simulations asked for over HTTP; `job`: the process that works one off
"""
