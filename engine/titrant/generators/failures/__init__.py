"""Failed trials as information: the probability that conditions can be carried out at all, learnt and weighed in."""
