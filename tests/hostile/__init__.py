"""Files that nobody should send, made anew from a seed: what every way in must answer with an answer or one sentence.

``pictures`` and ``dicoms`` craft single files, one for each kind of trouble; ``zips`` and ``tables`` do so for data
sets and for a colleague's decisions; ``mutants`` damages real files at random.
"""
