"""The delivery era, what comes in the bag: food, packaging, drinks, dessert, portion, hygiene."""

from feedbackhub.demo.grammar.expand import topic

TRAVELLED_FOOD = topic(
    "food",
    subjects="{takeaway}|{takeaway}|{takeaway}|order|bao",
    good_words="bussin|fire|elite|unreal|crispy|banging|addictive",
    bad_words="mid|soggy|lukewarm|congealed|basic|squashed|sus",
    good="""
        the {takeaway} [slaps|hits different|goes hard|does not miss]
        {takeaways} still [crispy|crunchy|piping hot] after [the ride|twenty minutes in a bag]
        lowkey the best {takeaway} on [the app|any app]
        the {takeaway} travels [so well|like a champ]
        {takeaways} were bussin [fr|no cap|on god]
        that {takeaway} lives in my head rent free
        the {takeaways} cured my hangover
        main character {takeaway} right there
        ate the {takeaways} in the lift, zero regrets""",
    bad="""
        the {takeaway} was [straight up|kinda|so] mid
        {takeaways} were [soggy|limp|steamed to mush] in the box
        the {takeaway} was [lukewarm|stone cold|one solid lump] by the time it got to me
        the bread [dissolved|turned to sponge] on the way
        {takeaway} tasted like [cardboard|the container|regret]
        giving [airport food|school canteen|gas station], and not in a cute way
        the {takeaways} had the ick all over them
        somebody shook my {takeaway} like a snow globe
        that {takeaway} got no seasoning, it's sus""",
    good_facts="""
        three {takeaway} orders this week and it's {day}
        the {takeaways} didn't make it to the couch
        my {fan} stole my {takeaways} before I unpacked
        sent the link to the whole group chat""",
    bad_facts="""
        microwaved the {takeaway} and then binned it
        my {takeaways} had fused into one
        the dog got the {takeaway}
        ended up eating cereal""",
)

PACKAGING = topic(
    "packaging",
    subjects="packaging|container|bag|box|lid",
    good_words="sturdy|compostable|leakproof|insulated|plastic-free",
    bad_words="flimsy|crushed|leaky|torn",
    good="""
        everything [sealed tight|double bagged|in its own compartment], nothing spilled
        vented boxes so the {takeaways} stay [crisp|crunchy], whoever thought of it is a genius
        love the [compostable|returnable|reusable] containers
        sauces on the side in [proper little pots|sealed tubs], chef's kiss
        the unboxing was [a whole moment|giving luxury]""",
    bad="""
        {sauce} [leaked|exploded|spilled] all over the bag
        the lid [popped off|cracked] and the {takeaway} was everywhere
        [styrofoam|so much plastic] in this year, come on
        the bag was [ripped|soaked through|held by one staple]
        box [crushed|upside down], toppings glued to the cardboard""",
    good_facts="""
        I kept the boxes for my own lunches
        carried it up four floors and not a drop in the bag
        the {takeaway} looked like the photo when I opened it""",
    bad_facts="""
        my backpack still smells of {sauce}
        had to eat the {takeaway} with a pen, no fork
        I poured half of the {takeaway} out of the bag""",
)

TRAVELLED_DRINKS = topic(
    "drinks",
    subjects="{travel_drink}",
    good_words="fire|frosty|dreamy|on point",
    bad_words="mid|warm|melted|watery",
    good="""
        {travel_drink} came with the ice [still clinking|packed apart], big brain move
        the {travel_drink} is [a vibe|top tier|dangerously good]
        tapioca still [chewy|warm], {travel_drink} of my dreams""",
    bad="""
        half the {travel_drink} [was in the bag|leaked on the rider's scooter]
        the {travel_drink} was [all melted ice|warm as bathwater|two layers of sadness]
        pearls hard as gravel, {travel_drink} ruined""",
    good_facts="""
        second {travel_drink} of the day already on its way
        I screenshot my {travel_drink} settings""",
    bad_facts="""
        the straw for the {travel_drink} never came
        my {travel_drink} was three sips of foam""",
)

TRAVELLED_DESSERT = topic(
    "dessert",
    subjects="{travel_sweet}",
    good_words="unreal|gooey|dangerous|top tier",
    bad_words="melted|flattened|mid|squished",
    good="""
        the {travel_sweet} came [with dry ice|still warm and gooey], obsessed
        {travel_sweet} [slaps|hits different at midnight]
        the {travel_sweet} is [criminally good|the real MVP]""",
    bad="""
        {travel_sweet} turned into [soup|a puddle] on the way
        the {travel_sweet} was stuck to the lid
        the {travel_sweet} got [flattened under the drinks|swapped for a random muffin]""",
    good_facts="""
        hid the second {travel_sweet} from my roommate
        added a {travel_sweet} at checkout and then another""",
    bad_facts="""
        drank the {travel_sweet} through a straw
        scraped the {travel_sweet} off the bag""",
)

TRAVELLED_PORTION = topic(
    "portion",
    subjects="{takeaway} box|combo|family bundle|bowl",
    good_words="stacked|loaded|packed|massive",
    bad_words="half-empty|shrunken|weak",
    good="""
        the {takeaway} box is [stacked|loaded|filled to the lid]
        family bundle fed [five of us|the whole flat], W
        extra {takeaways} in the bag for free, legends""",
    bad="""
        {takeaway} container half [empty|air|rice], shrinkflation is real
        paid for the large and got a [kiddie box|sample size]
        eight {takeaways} in the photo, five in the box""",
    good_facts="""
        one bundle and I have lunches till {day}
        couldn't get the lid of the {takeaway} back on""",
    bad_facts="""
        I thought the {takeaway} was the side
        ordered again elsewhere twenty minutes later""",
)

BAG_HYGIENE = topic(
    "hygiene",
    subjects="thermal bag|kitchen|delivery bag|courier's backpack",
    good_words="pristine|spotless|sanitised|clean",
    bad_words="grimy|stinky|gross|nasty",
    good="""
        tamper sticker [intact|on every box], feels safe
        you can watch the kitchen on the cam and it's spotless
        contactless drop off with the bag [sanitised|sealed], big thanks""",
    bad="""
        seal was broken and [a nugget|a bite|half a bao] was missing
        the courier's bag [reeked of smoke|had old sauce all over it], gross
        turns out it's a ghost kitchen with a [one star|failed] inspection""",
    good_facts="""
        rider wore fresh gloves at the door
        the prep time and the cook's name were on the sticker""",
    bad_facts="""
        someone had opened the box and taped it shut
        the rider had put our bag on the pavement""",
)

IN_THE_BAG = (
    TRAVELLED_FOOD,
    PACKAGING,
    TRAVELLED_DRINKS,
    TRAVELLED_DESSERT,
    TRAVELLED_PORTION,
    BAG_HYGIENE,
)
