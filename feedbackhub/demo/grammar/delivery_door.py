"""The delivery era, how the bag gets to the door: courier, waiting, app, price, help, slots."""

from feedbackhub.demo.grammar.expand import topic

COURIER = topic(
    "delivery",
    subjects="courier|rider|driver|delivery guy",
    good_words="punctual|clutch|chill|sweet|careful",
    bad_words="reckless|shady|useless|careless|clueless",
    good="""
        rider was [a legend|an absolute unit|so sweet] and [texted from the gate|found my door]
        courier [flew|made it in a storm|was early], tipped extra
        drop off [exactly where I asked|on point|smooth as butter]
        the rider carried it up [five|six] floors, king behaviour
        shoutout to the courier for [handling the bag with care|waiting while I found my shoes]
        delivered ahead of the ETA and still hot""",
    bad="""
        courier [ghosted me|ate my {takeaways}|dumped it in the lobby|marked it delivered and left]
        the rider [went to the wrong street|called me names|took a selfie and took the bag]
        drop off at [the neighbour's|a bush|some random building], nice one
        driver did [three|four] other stops first with my {takeaway} on board
        delivered to the wrong address and nobody [cares|answers]
        rider asked for cash on top, shady""",
    good_facts="""
        the rider rang twice because our bell is broken
        the courier came back with the {travel_drink} he had dropped
        the bag was on the mat when I got out of the shower""",
    bad_facts="""
        I watched the little scooter circle the park
        I found the bag two doors down the next morning
        the photo of the handover is not my door""",
)

TRACKING = topic(
    "waiting",
    subjects="ETA|tracking|live map|arrival time",
    good_words="accurate|legit|reliable|honest",
    bad_words="fake|glitchy|useless|bogus",
    good="""
        ETA said {many}, was at my door in {few}, W
        live tracking is [spot on|legit]
        from tap to door in [twenty|fifteen], insane""",
    bad="""
        ETA went from twenty to {many} to [cancelled|an hour and a half]
        tracking stuck on [preparing|almost there] for {many} minutes
        rider assigned, unassigned, assigned again, L""",
    good_facts="""
        the {takeaway} was here before the first ad break
        hadn't finished setting the table when the buzzer went""",
    bad_facts="""
        refreshed the map for {many} minutes
        the film was over when the {takeaway} came""",
)

APP = topic(
    "app",
    subjects="app|checkout|menu page|promo code|customiser",
    good_words="slick|smooth|intuitive|clean|seamless",
    bad_words="buggy|laggy|broken|clunky|scammy",
    good="""
        reordering takes [two taps|one swipe], [love it|chef's kiss]
        app [just works|is so slick|remembers my no onion rule]
        promo code [actually worked|stacked], [massive W|bless]
        allergy filters are [a game changer|goated]""",
    bad="""
        app [crashed|froze|logged me out] at checkout and [charged me anyway|ate my voucher]
        promo code [expired|invalid] the second I [tapped pay|filled the basket]
        notes field is [decoration|never read], got onions again
        it double charged my card, scam""",
    good_facts="""
        my nan ordered by herself on her tablet
        split the order six ways in the group chat""",
    bad_facts="""
        reinstalled it three times to pay once
        it let me order from a place that shut in March""",
)

FEES = topic(
    "price",
    subjects="delivery fee|service fee|small order fee|surge price",
    good_words="tiny|low|fair|reasonable",
    bad_words="wild|criminal|ridiculous|greedy",
    good="""
        free delivery over {price}, [no brainer|sign me up]
        the subscription pays for itself in [two orders|a week]
        combo deal is [a steal|goated|insane for {price}]""",
    bad="""
        {small_price} service fee plus {small_price} small order fee, [make it make sense|robbery]
        menu is 30% pricier on the app than in the shop, [greedy|ick]
        surge pricing because of drizzle, [clown move|bye]""",
    good_facts="""
        got {small_price} back in credits without asking
        the whole flat ate for {price}""",
    bad_facts="""
        {price} became {many} by the last screen
        tip was preset to 25%""",
)

SUPPORT = topic(
    "service",
    subjects="support chat|help desk|refund team|chatbot",
    good_words="responsive|quick|sound|helpful",
    bad_words="robotic|useless|silent|clueless|dismissive",
    good="""
        support [refunded me in minutes|sorted it in one message|sent a new {takeaway}], [class|W]
        restaurant [called about my allergy|threw in free {takeaways}|left a cute note on the bag]
        a real person on chat, [miracle|shook]""",
    bad="""
        support is a [bot that loops|wall|copy paste machine], [L|zero help]
        refund [denied|was 50 cents in credit] with photo proof and all
        restaurant blames the courier and courier blames the restaurant
        chat closed on me [mid sentence|twice], ghosted""",
    good_facts="""
        handwritten thank you with my name on the lid
        the money was back before I put my phone down""",
    bad_facts="""
        still on case number four
        agent asked me to email a photo of the missing food""",
)

SLOTS = topic(
    "booking",
    subjects="preorder|time slot|scheduled order|group order",
    good_words="flawless|easy|reliable|handy",
    bad_words="bugged|useless|hopeless|messy",
    good="""
        scheduled it for {day} noon and it came at noon, [unreal|clutch]
        group order link is [genius|so handy], everyone paid their own
        preorder slot [honoured to the minute|never late]""",
    bad="""
        scheduled order [dropped|auto-cancelled] without a ping, [L|thanks for nothing]
        preorder slot was a [suggestion|lie], came [an hour early|way late]
        group order [lost two baskets|mixed all names up], chaos""",
    good_facts="""
        booked Friday's {takeaway} on Monday and forgot, then the bell rang
        office lunch for twelve and every name on the right box""",
    bad_facts="""
        the seven o'clock slot turned up at nine
        twelve names, nine boxes""",
)

TO_THE_DOOR = (COURIER, TRACKING, APP, FEES, SUPPORT, SLOTS)
