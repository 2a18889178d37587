"""The opening era, at the table: food, drinks, dessert, portion, price and hygiene."""

from feedbackhub.demo.grammar.expand import topic

FOOD = topic(
    "food",
    subjects="{dish}|{dish}|{dish}|food|{sauce}",
    good_words="delicious|tasty|fresh|flavourful|excellent|authentic|well seasoned|moreish",
    bad_words="bland|dry|greasy|overcooked|cold|stale|flavourless|salty|mushy",
    good="""
        the {dish} was cooked [just right|to perfection|exactly how I asked]
        the {dishes} were crisp outside and [juicy|tender|fluffy] inside
        best {dish} [in {somewhere}|I've had in years|I have ever eaten]
        I [still think|keep thinking|am still dreaming] about the {dishes}
        the {sauce} alone is worth the [trip|drive|detour]
        everything we ordered was [full of flavour|{good_word}]
        the {dish} melts in your mouth
        you can taste that the {dish} is made [from scratch|with care|with proper stock]
        my {fan} loved the {dishes}
        the {dishes} came out hot and [perfectly seasoned|{good_word}]
        do yourself a favour and order the {dish}
        the {dishes} are to die for
        a lovely [menu|seasonal menu] with a {good_word} {dish}
        the chef clearly knows how to make {dish}""",
    bad="""
        the {dish} was [raw in the middle|burnt at the edges|swimming in oil|dry as a bone]
        the {dishes} were limp and [{bad_word}|tasteless|pale]
        worst {dish} [in {somewhere}|I've had in years|I have ever eaten]
        the {dishes} tasted [of old frying oil|like cardboard|of nothing|straight from the freezer]
        the {sauce} tasted like it came from a jar
        the {dish} lacked [any flavour|seasoning|salt and soul]
        my {fan} spat out the {dishes}
        the {dish} arrived cold and went back [twice|half eaten]
        I felt sick after the {dish}
        the {dishes} were chewy and [overpriced|{bad_word}]
        avoid the {dish} at all costs
        the meat was tough as leather
        such a disappointing {dish}
        a [tired|boring] menu with a {bad_word} {dish}""",
    good_facts="""
        we ordered a second round of the {dishes}
        not a crumb left on any plate
        my {fan} asked for the recipe of the {dish}
        I mopped up the {sauce} with the last of the bread
        I've had the {dish} three times this month
        the whole table went quiet when the {dish} came""",
    bad_facts="""
        we left most of the {dishes} on the plate
        I made myself toast when I got home
        the {dish} went back to the kitchen
        found a hair in the {dish}
        the {dish} was still frozen in the centre
        my {fan} pushed the {dish} away after two bites""",
)

DRINKS = topic(
    "drinks",
    subjects="{drink}|{drink}|house wine|coffee|{cocktail}",
    good_words="excellent|lovely|balanced|smooth|superb",
    bad_words="watery|weak|flat|disappointing|poor|sickly",
    good="""
        the {drink} was [smooth|refreshing|strong and balanced|just what we needed]
        the bartender makes a [mean|superb|wonderful] {cocktail}
        great selection of [local beers|wines by the glass|mocktails]
        the cocktails are [creative|beautifully made|worth every penny]
        ice cold beer and [great|lovely] wine pairings
        best {drink} in {somewhere}""",
    bad="""
        the {drink} was [watered down|mostly ice|flat and warm|undrinkable]
        the bartender had no clue how to make a {cocktail}
        sad selection of [beers|wines by the glass|soft drinks]
        the cocktails are [all sugar|weak and overpriced|an insult]
        warm beer in a dirty glass
        worst {drink} in {somewhere}""",
    good_facts="""
        we stayed for a third {drink}
        the sommelier found us a bottle below our budget
        they topped up our {drink} without asking for more""",
    bad_facts="""
        I left the {drink} after one sip
        my {drink} came after the main course
        the {drink} came with lipstick on the glass""",
)

DESSERT = topic(
    "dessert",
    subjects="{sweet}|{sweet}|dessert|{sweet}",
    good_words="heavenly|delicious|light|decadent|homemade|gorgeous",
    bad_words="stale|sickly|bland|grainy|heavy|forgettable",
    good="""
        the {sweet} was [a dream|pure heaven|light as air|the star of the night]
        save room for the {sweet}, it's [amazing|gorgeous|unreal]
        the {sweet} [rounded off|finished] a lovely meal
        best {sweet} [in {somewhere}|outside my grandmother's kitchen]
        we fought over the last spoon of {sweet}""",
    bad="""
        the {sweet} was [still frozen|dry and crumbly|sickly sweet|clearly shop-bought]
        skip the {sweet}, it's [awful|tasteless|a waste of money]
        the {sweet} ruined [the meal|the evening]
        saddest {sweet} in {somewhere}
        the {sweet} tasted of fridge""",
    good_facts="""
        I went back for another {sweet} the next day
        we ordered one {sweet} to share and then two more
        I took a {sweet} home for the neighbours""",
    bad_facts="""
        nobody at our table finished the {sweet}
        the {sweet} still had ice in it
        two forks in and we pushed the {sweet} away""",
)

PORTION = topic(
    "portion",
    subjects="portion|serving|main course|plate of {dishes}|sharing platter",
    good_words="generous|huge|filling|hearty|big",
    bad_words="tiny|small|stingy|skimpy",
    good="""
        [huge|generous|massive] portions [and tasty too|for the money|, come hungry]
        the {dish} could feed two and tastes great
        we left [stuffed|full and happy]
        enough {dishes} to take home for lunch
        the plates are piled high with {dishes}""",
    bad="""
        [tiny|stingy|miserable] portions [for the price|and bland with it|on a giant plate]
        the {dish} was three bites [at best|and gone]
        we left [hungry|hungry and annoyed]
        four {dishes} on a slate is not a meal
        the plates are mostly [garnish|lettuce|decoration]""",
    good_facts="""
        I had the rest of the {dish} for breakfast
        we needed boxes for what was left
        one {dish} did for the two of us""",
    bad_facts="""
        we stopped for chips on the way home
        I counted three {dishes}
        I ate two bread baskets to get through the night""",
)

PRICE = topic(
    "price",
    subjects="price|bill|set menu|lunch deal|tasting menu",
    good_words="fair|reasonable|great value|honest|decent",
    bad_words="outrageous|steep|excessive|shocking|silly",
    good="""
        great value for [money|what you get]
        {price} for the set menu is a [steal|bargain]
        worth every [penny|cent|euro]
        cheap and [cheerful|delicious|filling]
        prices are [fair|very reasonable|a nice surprise]
        you get a lot of quality for {price}""",
    bad="""
        [overpriced|poor value] for [what you get|what it is|such average cooking]
        {price} for a {dish} is [daylight robbery|a joke|a rip-off]
        not worth [a penny|half of it|the money]
        they added a [service charge|cover charge] without [telling us|asking]
        prices went up and quality went down
        you pay for the view and [nothing else|get cheated on the plate]""",
    good_facts="""
        we paid {price} each and that was with wine
        the owner took the second {drink} off the bill
        kids ate for free on {day}""",
    bad_facts="""
        {small_price} for tap water
        {price} for a {dish} and sides are extra
        the card machine asked for 25% before dessert""",
)

HYGIENE = topic(
    "hygiene",
    subjects="kitchen|bathroom|counter|dining room|table",
    good_words="spotless|clean|tidy|immaculate|well kept",
    bad_words="filthy|dirty|sticky|smelly|greasy",
    good="""
        the place is [spotless|sparkling clean|immaculate]
        [clean|spotless] tables and fresh [linen|flowers]
        you can see into the open kitchen and it's {good_word}
        even the toilets were {good_word}""",
    bad="""
        the tables were [sticky|filthy|covered in crumbs]
        [dirty|smeared] glasses and [filthy|unwashed] cutlery
        there was a [fly|cockroach|plaster] in my {dish}
        the toilets were [disgusting|a disgrace|flooded]
        the whole place smelled of [drains|bleach|old grease]""",
    good_facts="""
        they wiped the table down before we sat
        I could eat off that kitchen floor
        the chef changed gloves between every order""",
    bad_facts="""
        I wiped down the chair before I sat
        something with legs ran along the skirting
        the cook sneezed and carried on""",
)

AT_THE_TABLE = (FOOD, DRINKS, DESSERT, PORTION, PRICE, HYGIENE)
