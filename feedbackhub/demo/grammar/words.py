"""Words that any clause may use: dishes, people, amounts of time and money."""

from feedbackhub.demo.grammar.expand import Words, options

WORDS: Words = {
    name: options(row)
    for name, row in {
        # Singular, savoury; fits "the {dish} was".
        "dish": "lamb curry|mushroom risotto|pad thai|ramen|pho|lasagne|fish pie|chicken katsu|"
        "beef stew|seafood paella|carbonara|ribeye|roast chicken|pulled pork|tomato soup|salmon|"
        "duck confit|biryani|margherita|falafel wrap|gumbo|shakshuka|moussaka|veggie burger|"
        "steak sandwich|butter chicken|clam chowder|club sandwich|caesar salad|beef rendang|"
        "lobster roll|tuna melt|eggs benedict|bibimbap|goulash|schnitzel|mac and cheese",
        "dishes": "dumplings|tacos|wings|fries|ribs|spring rolls|meatballs|oysters|gyoza|samosas|"
        "pierogi|onion rings|enchiladas|scallops|mussels|croquettes|sweet potato fries|prawns",
        "takeaway": "pad thai|burger|poke bowl|chicken katsu|burrito|butter chicken|ramen|pizza|"
        "biryani|shawarma|bibimbap|falafel wrap|quesadilla|chow mein|birria|smash burger|pho|"
        "fried chicken sandwich|rice bowl|green curry|halloumi wrap|kebab",
        "takeaways": "fries|wings|loaded fries|tacos|nuggets|dumplings|onion rings|tenders|bao|"
        "gyoza|spring rolls|waffle fries|mozzarella sticks",
        "drink": "espresso|house red|margarita|craft lager|iced tea|negroni|flat white|mango lassi|"
        "sangria|lemonade|chai|pinot noir|old fashioned|cappuccino|hot chocolate|mojito",
        "travel_drink": "bubble tea|iced latte|mango smoothie|milkshake|cold brew|matcha latte|"
        "kombucha|taro milk tea|oat flat white",
        "sweet": "tiramisu|cheesecake|chocolate tart|crème brûlée|apple crumble|baklava|gelato|"
        "sticky toffee pudding|lemon meringue|panna cotta|pecan pie|churros plate|carrot cake",
        "travel_sweet": "brownie|cookie dough|cinnamon roll|mochi|ice cream tub|basque cheesecake|"
        "churros box|banana pudding|soft serve",
        "sauce": "gravy|peanut sauce|salsa verde|chimichurri|garlic mayo|pesto|mole|tzatziki",
        "staff": "waiter|waitress|server|hostess|bartender|manager|owner",
        "few": "five|six|eight|ten",
        "many": "thirty|forty|forty-five|fifty|35|40|45|50",
        "price": "14|16|18|22|24|27|31",
        "small_price": "4|5|6|7",
        "company": "my sister|my parents|two friends|the kids|my husband|my wife|a colleague|"
        "my in-laws|the whole team|my roommate|an old friend|my girlfriend|my boyfriend|my nan",
        "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "meal": "lunch|dinner|brunch|a late bite|Sunday lunch|an early dinner",
        "occasion": "my birthday|our anniversary|a work lunch|my dad's birthday|graduation|"
        "a first date|a hen do|Mother's Day|a farewell dinner|date night",
        "very": "really|very|seriously|super|truly",
        "cocktail": "margarita|negroni|old fashioned|mojito|whisky sour|martini",
        "somewhere": "town|the city|this part of town|the neighbourhood|the area|the county",
        "fan": "picky cousin|mother-in-law|six-year-old|vegan friend|dad|teenager|fussy sister",
    }.items()
}
