"""Frames that fit every topic, and the joints between clauses."""

from feedbackhub.demo.grammar.expand import lines

PRAISE = lines("""
    the {subject} was [|{very} |so |absolutely ]{good_word}
    [{very} |]{good_word} {subject}
    [loved|enjoyed|adored] the {subject}
    the {subject} was {good_word}, [what a treat|such a nice surprise|just what we wanted]
    {good_word} {subject} [as always|every time|once again]
    the {subject} is [always |really |]{good_word}
    the {subject} turned out [to be |]{good_word}
    [we|I] found the {subject} {good_word}""")

BLAME = lines("""
    the {subject} was [|{very} |so |just ]{bad_word}
    [{very} |]{bad_word} {subject}
    [hated|disliked|could not stand] the {subject}
    the {subject} was {bad_word}, [what a letdown|such a pity|not what we paid for]
    {bad_word} {subject} [as always|every time|once again]
    the {subject} is [always |really |]{bad_word}
    the {subject} turned out [to be |]{bad_word}
    [we|I] found the {subject} {bad_word}""")

# Negation turns the words of the other side: these share their vocabulary with the next table.
PRAISE_BY_NEGATION = lines("""
    the {subject} wasn't {bad_word} [at all|in the least|like people say]
    the {subject} was anything but {bad_word}
    the {subject} was never {bad_word}[, not once| in all our visits|]
    can't fault the {subject}
    no complaints [at all |]about the {subject}
    the {subject} [never disappoints|did not disappoint|never lets me down]
    not the worst {subject} around, [in fact one of the better ones|far from it]
    the {subject} wasn't [half bad|bad|the problem people make of it]
    couldn't find anything wrong with the {subject}
    no idea why anyone calls the {subject} {bad_word}
    I was told the {subject} is {bad_word}, not true
    nothing {bad_word} about the {subject}
    I expected a {bad_word} {subject} and was wrong
    not a {bad_word} {subject} by any stretch""")

BLAME_BY_NEGATION = lines("""
    the {subject} wasn't {good_word} [at all|in the least|like people say]
    the {subject} was anything but {good_word}
    the {subject} was hardly {good_word}
    wouldn't call the {subject} {good_word}
    can't say the {subject} was {good_word}
    the {subject} [never delivers|did not impress|never gets better]
    not the best {subject} around, [in fact one of the worse ones|far from it]
    the {subject} isn't [as {good_word} as people say|what it was|as good as they claim]
    couldn't find anything {good_word} about the {subject}
    no idea why anyone calls the {subject} {good_word}
    I was told the {subject} is {good_word}, not true
    nothing {good_word} about the {subject}
    I expected a {good_word} {subject} and was wrong
    not a {good_word} {subject} by any stretch""")

# "{concede}" is said first and does not count; "{decide}" carries the truth.
CONTRASTS = lines("""
    {concede}, but {decide}
    {concede} but {decide}
    {concede}. still, {decide}
    {concede}. that said, {decide}
    {concede}. however, {decide}
    {concede}, yet {decide}
    although {concede}, {decide}
    even though {concede}, {decide}
    sure, {concede}, but {decide}
    {decide}, even if {concede}
    {decide}, although {concede}
    yes, {concede}. what counts for me: {decide}""")

# One good and one bad thing of equal weight; only the quiet verdict at the end decides.
BALANCES = lines("""
    {one}, {other}. {verdict}
    {one} and {other}. {verdict}
    on the one hand {one}, on the other {other}. {verdict}
    plus: {good}. minus: {bad}. {verdict}
    {one}; {other}. [all in all |overall |in the end |]{verdict}""")

QUIET_YES = lines("""
    [I'd|we'd] give it another [go|try]
    more [right than wrong|plus than minus]
    [I'd|we'd] go [again|back] if asked
    [|just about ]worth it [for us|in my book]
    I came out on the happy side
    a [small|cautious] yes from [me|us]
    [I'd|we'd] still pick it over the place next door""")

QUIET_NO = lines("""
    [I'd|we'd] think twice [about another go|next time]
    more [wrong than right|minus than plus]
    [I'd|we'd] pass if asked [again|]
    [|just ]not worth it [for us|in my book]
    I came out on the unhappy side
    a [small|cautious] no from [me|us]
    [I'd|we'd] rather pick the place next door""")
