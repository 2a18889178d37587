"""The opening era, around the table: service, waiting, booking, ambience, the odd delivery."""

from feedbackhub.demo.grammar.expand import topic

SERVICE = topic(
    "service",
    subjects="service|{staff}|{staff}|{staff}|team",
    good_words="friendly|attentive|helpful|polite|charming|welcoming|patient|professional",
    bad_words="rude|inattentive|unhelpful|grumpy|arrogant|careless|clueless|dismissive",
    good="""
        the {staff} [made us feel at home|took great care of us|went out of their way for us]
        [warm|excellent|wonderful|first class] service from start to finish
        the {staff} was [a star|a delight|lovely with the kids|full of great tips]
        the staff remembered [our names|my allergy|my usual order] and were so {good_word}
        they treated us like [family|regulars|royalty]
        the {staff} [surprised us with a candle|brought a free {sweet}] for {occasion}
        always greeted with a smile
        the staff are {good_word} and [quick|kind|on the ball]""",
    bad="""
        the {staff} [ignored us|rolled her eyes at us|was short with us|argued with my {fan}]
        [terrible|awful|appalling|horrible] service from start to finish
        the {staff} was [a nightmare|rude to the kids|clearly annoyed to be there]
        the staff forgot [our starters|my allergy|half the order] and were {bad_word} about it
        they treated us like [a nuisance|strangers|dirt]
        the {staff} ruined {occasion} for us
        no smile, no greeting, no apology
        the staff are {bad_word} and [slow|lazy|all over the place]""",
    good_facts="""
        the {staff} ran after us with the scarf we forgot
        the {staff} swapped the {dish} without a word
        the {staff} came over twice to see how we were doing
        they moved two tables so my {fan} could sit by the window""",
    bad_facts="""
        I had to walk to the bar to find a menu
        we asked three times for the bill
        the {staff} was on her phone the whole time
        the {staff} disappeared after the starters""",
)

WAITING = topic(
    "waiting",
    subjects="kitchen|service|lunch service",
    good_words="quick|swift|prompt|speedy|efficient",
    bad_words="slow|sluggish|disorganised|chaotic",
    good="""
        food came out [fast|quickly|in no time]
        seated [right away|within two minutes] and [served quickly|happy ever since]
        [quick|prompt|speedy] service even [on a busy {day}|at peak time]
        drinks in two minutes and mains in {few}, perfect""",
    bad="""
        waited {many} minutes for [our starters|the {dish}|a table we had booked]
        it took forever to get [menus|our food|the bill|anyone's attention]
        [slow|painfully slow] service even [on a quiet {day}|with the room half empty]
        an hour in and still no food, ridiculous""",
    good_facts="""
        in and out in half an hour with three courses
        the {dish} was on the table before I had my coat off
        they sent out {dishes} while we queued""",
    bad_facts="""
        {many} minutes for two coffees
        the table after us finished before our {dishes} came
        we had read the menu eleven times when somebody came""",
)

BOOKING = topic(
    "booking",
    subjects="booking|reservation|booking page|booking line",
    good_words="easy|smooth|painless|simple",
    bad_words="messy|confusing|hopeless|chaotic|botched",
    good="""
        booking [by phone|online|for eight] was [easy|a breeze|quick and painless]
        they [found|squeezed in] a lovely table for us without a reservation
        our table was ready [on the dot|early|by the window as promised]
        they kept our table although we were late, so kind""",
    bad="""
        they [lost|cancelled|had no record of] our reservation
        our table was [given away|next to the toilets|not ready for {many} minutes]
        booking [by phone|online|for eight] was [a nightmare|hopeless|a waste of time]
        turned us away [at the door|after we booked weeks ago], shameful""",
    good_facts="""
        walked in at eight on {day} and got a table
        they rang to ask about the cake candles
        one call and the back room was ours""",
    bad_facts="""
        two confirmation mails and our name was on no list
        they wanted the table back by seven
        nobody picked up the phone for three days""",
)

AMBIENCE = topic(
    "ambience",
    subjects="atmosphere|decor|patio|dining room|vibe|interior",
    good_words="cosy|charming|relaxed|romantic|lovely|inviting",
    bad_words="gloomy|drab|cramped|sterile|dated|stuffy",
    good="""
        [lovely|charming|cosy] [room|place|terrace] with [soft light|a view of the river|live jazz]
        perfect spot for {occasion}
        the patio is [gorgeous|a gem|so relaxing] in the evening
        [candles on every table|old photos on every wall|plants everywhere] and a great mood
        the music was at just the right level to talk""",
    bad="""
        [freezing|cramped|shabby] [room|place|corner] with [harsh light|a view of the bins|no air]
        the music was so loud we [had to shout|got a headache|left early]
        wobbly tables and [torn seats|dirty menus|a draught at our feet]
        it felt like eating in a [waiting room|canteen|train station]
        no atmosphere [whatsoever|at all], a dead room""",
    good_facts="""
        we lingered until they stacked the chairs
        my {fan} took forty pictures of the ceiling
        I read half a book by the fireplace there""",
    bad_facts="""
        we kept our coats on all evening
        I heard every word of the couple beside us
        we sat under the speaker and wrote notes to each other""",
)

DINER_DELIVERY = topic(
    "delivery",
    subjects="delivery|takeout order|home delivery",
    good_words="quick|reliable|easy|punctual",
    bad_words="late|unreliable|messy|wrong",
    good="""
        takeout was ready [on time|when they said] and still delicious
        their [delivery|takeaway] is as good as [eating in|the restaurant]
        the delivery guy was polite and on time""",
    bad="""
        takeout was [wrong|late|missing half the dishes]
        the {dish} was cold when the delivery finally came
        never again ordering delivery from here""",
    good_facts="""
        the {dish} was steaming when I opened the box at home
        they rang when the takeout was ready""",
    bad_facts="""
        got home with someone else's takeout
        I drove back for the {dishes} they forgot""",
)

AROUND_THE_TABLE = (SERVICE, WAITING, BOOKING, AMBIENCE, DINER_DELIVERY)
