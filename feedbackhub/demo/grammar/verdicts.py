"""What surrounds the clauses: how a review opens, how it ends, and the ones that are only that."""

from feedbackhub.demo.grammar.expand import lines

# Openers carry no opinion.
DINER_OPENERS = lines("""
    came here [for {meal}|on a {day}] with {company}
    stopped by for {meal} [after the cinema|before a show|on the way home|between meetings]
    [second|third|fourth] visit this [month|year|summer]
    went for {occasion} with {company}
    {company} and I had the {dish} and the {dishes}
    we were a party of {few}
    picked this place for {occasion}
    ordered the {dish}, {company} had the {dishes}
    I live around the corner
    we tried it on {day} for {meal}
    been coming since they opened""")

ORDERER_OPENERS = lines("""
    ordered [the {takeaway}|two {takeaway} combos|{takeaways} for {few}] on {day}
    [late night|rainy {day}|game night] order with {company}
    [second|third|fourth] order this [week|month]
    got the {takeaway} and {takeaways} to the office
    tried their {takeaway} through the app
    {company} and I shared the {takeaway} on the couch
    they used to be my local, now it's all [online|dark kitchen|through couriers]
    working from home so I ordered the {takeaway}
    placed it at [6|7|8|9] on {day}""")

DINER_HAPPY = lines("""
    [we|I] will [definitely |]be back
    [highly|would] recommend
    can't wait to [return|go back]
    [a hidden gem|my new favourite|a must]
    already booked again
    thank you for a [lovely|wonderful] evening
    five stars
    [my {fan} is|we are] already planning the next visit
    see you [next week|on {day}|very soon]""")

DINER_UNHAPPY = lines("""
    [we|I] won't be back
    would not recommend
    never again
    [what a letdown|such a shame|a waste of money]
    save your money and go elsewhere
    sorry for a [ruined|wasted] evening
    one star is generous
    [my {fan} is|we are] still angry
    they lost [a regular|us as guests|our custom]""")

ORDERER_HAPPY = lines("""
    reordering [{day}|tomorrow|asap]
    [10/10|100%] no notes
    W order
    pinned it [in the app|to my favourites]
    [my {fan} is|I'm] obsessed
    take my money
    [iykyk|slay|chef's kiss]""")

ORDERER_UNHAPPY = lines("""
    [deleting|uninstalled] the app
    [2/10|0/10] do not bother
    L order
    blocked [it in the app|and moved on]
    [my {fan} is|I'm] so done
    I want a refund
    [hard pass|it's a no from me|the ick]""")

# Clauses that decide a mixed review by what the guest will do.
DINER_STAY = lines("""
    we will be back
    I'd go again tomorrow
    I keep coming back
    it's still our favourite
    they put it right [with a smile|straight away]""")

DINER_LEAVE = lines("""
    we won't go again
    I left a bit sad
    it's no longer our favourite
    they did nothing to put it right
    that was the last visit""")

ORDERER_STAY = lines("""
    I'd reorder in a heartbeat
    it's staying in my favourites
    the refund landed in a minute""")

ORDERER_LEAVE = lines("""
    I'm off to another app
    it's off my favourites
    the refund never landed""")

# Praise in words, blame in meaning: the truth is always negative.
DINER_SARCASM = lines("""
    oh great, another {many} minute wait for [{drink}|a lukewarm {dish}]
    if you love [cold {dish}|being ignored|sticky tables], this is your place
    who doesn't love paying {price} for {few} [{dishes}|leaves of salad]
    congratulations to the chef for inventing the crunchy {dish}
    the {staff} was so friendly I almost got a hello
    lovely place to practise patience, the {dish} took {many} minutes
    five stars for the fly in my {drink}, very attentive
    wonderful, my {dish} came just in time for closing
    "fresh" {dish}, sure, and I'm the queen of England
    thanks for the free tour of your waiting area on {day}""")

ORDERER_SARCASM = lines("""
    love a {takeaway} smoothie, thanks for shaking it
    great cardio, chasing the rider {few} blocks for my {takeaway}
    shoutout to the app for the surprise {small_price} fee, made my {day}
    amazing, {takeaways} with a free side of rain water
    big fan of the courier's tour of the city with my {takeaway}
    so cool that "extra crispy" {takeaways} now come steamed
    thrilled to report the {travel_drink} has reached my carpet""")

DINER_SHORT_HAPPY = lines("""
    [loved|really loved|adored] [it|everything|every bite|the {dish}|the {dishes}|the {drink}]
    [simply|just|really|super|truly] [good|lovely|tasty] {dish}
    [great|amazing|fantastic|brilliant] [place|spot|food|evening|{dish}|{dishes}|{sweet}]
    yum, [that {dish}|those {dishes}|the {sauce}|that {sweet}]
    go for the {dish}[ and the {dishes}|], trust me
    best [meal|lunch|brunch|night out] in [ages|months|{somewhere}]""")

DINER_SHORT_UNHAPPY = lines("""
    [hated|really hated|regret] [it|everything|every bite|the {dish}|the {dishes}|the {drink}]
    [simply|just|really|super|truly] [bad|awful|bland] {dish}
    [awful|terrible|horrible|dreadful] [place|spot|food|evening|{dish}|{dishes}|{sweet}]
    yuck, [that {dish}|those {dishes}|the {sauce}|that {sweet}]
    skip the {dish}[ and the {dishes}|], trust me
    worst [meal|lunch|brunch|night out] in [ages|months|{somewhere}]""")

ORDERER_SHORT_HAPPY = lines("""
    [this|the|that] {takeaway} [slaps|is bussin|goes crazy|is elite|ate]
    {takeaways} [slap|are bussin|go hard|are goated]
    [massive|big|huge] W for the [{takeaway}|{takeaways}|{travel_drink}|{travel_sweet}]
    {travel_sweet} on repeat, [send help|obsessed|no regrets]
    [highkey|lowkey|fully] addicted to the {takeaway}""")

ORDERER_SHORT_UNHAPPY = lines("""
    [this|the|that] {takeaway} [is mid|flopped|is trash|is giving nothing|ain't it]
    {takeaways} [are mid|flopped|were soggy af|ain't it]
    [massive|big|huge] L for the [{takeaway}|{takeaways}|{travel_drink}|{travel_sweet}]
    {travel_sweet} in a puddle, [send help|I'm done|bye]
    [highkey|lowkey|fully] scammed by the {takeaway}""")
