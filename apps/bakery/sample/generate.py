#!/usr/bin/env python3
"""Writes sales.csv and suppliers.json beside itself. Same seed, same files: run it only to change the sample.

sales   = base x weekday factor x (1 + weekly trend x weeks) x a day's luck that the shop's products share
          x a product's own luck, rounded; closed days are 0
prices  = a start price that drifts by a share per week, with a little noise, in cents per pack
"""
import csv, datetime, json, pathlib, random

HERE = pathlib.Path(__file__).parent
RANDOM = random.Random(20261122)
FIRST_DAY = datetime.date(2026, 8, 31)  # a Monday
WEEKS = 12

#                     Mon   Tue   Wed   Thu   Fri   Sat   Sun
BREAD =              [0.90, 0.88, 0.95, 0.98, 1.15, 1.34, 0.80]
BREAKFAST =          [0.82, 0.80, 0.84, 0.86, 0.98, 1.42, 1.28]
CAKE =               [0.70, 0.72, 0.80, 0.88, 1.10, 1.32, 1.48]
SNACK =              [1.10, 1.08, 1.10, 1.08, 1.16, 0.92, 0.56]

# product: weekday shape, weekly trend, own luck (standard deviation of the logarithm)
PRODUCTS = {
    "sourdough_loaf": (BREAD, 0.008, 0.06),
    "rye_bread": (BREAD, -0.006, 0.07),
    "baguette": (BREAD, 0.002, 0.07),
    "breakfast_roll": (BREAKFAST, 0.000, 0.05),
    "spelt_roll": (BREAKFAST, 0.012, 0.08),
    "pretzel": (SNACK, 0.004, 0.07),
    "croissant": (BREAKFAST, 0.006, 0.07),
    "cinnamon_roll": (CAKE, 0.018, 0.09),
    "apple_turnover": (CAKE, -0.012, 0.10),
    "cheesecake": (CAKE, 0.000, 0.12),
}

# bakery: units of an average day for each product in the order above, closed weekdays, the day's luck
BAKERIES = {
    "linde": ([110, 80, 70, 420, 120, 160, 130, 60, 45, 12], {6}, 0.04),
    "canal": ([70, 25, 240, 160, 60, 40, 310, 70, 90, 20], set(), 0.05),
    "puerto": ([150, 40, 190, 380, 90, 70, 260, 140, 110, 36], set(), 0.06),
}


def sales():
    for bakery, (bases, closed, luck) in BAKERIES.items():
        for t in range(WEEKS * 7):
            day = FIRST_DAY + datetime.timedelta(days=t)
            shared = RANDOM.lognormvariate(0, luck)
            row = [bakery, day.isoformat()]
            for base, (shape, trend, own) in zip(bases, PRODUCTS.values()):
                own_luck = RANDOM.lognormvariate(0, own)
                mean = base * shape[day.weekday()] * (1 + trend * t / 7)
                row.append(0 if day.weekday() in closed else round(mean * shared * own_luck))
            yield row


# supplier: name, address, lead time in days, days between two orders, offers (ingredient, pack in grams, cents, drift per week)
SUPPLIERS = {
    "mill": ("Stonebridge Mill", "orders@stonebridge-mill.example", 2, 7, [
        ("wheat_flour", 25000, 1690, 0.001), ("rye_flour", 25000, 1820, 0.000), ("spelt_flour", 25000, 3150, 0.012)]),
    "dairy": ("Meadow Dairy", "desk@meadow-dairy.example", 1, 3, [
        ("butter", 10000, 7250, 0.011), ("milk", 10000, 1080, 0.002), ("quark", 5000, 1540, -0.003)]),
    "grocer": ("Harbour Grocers", "trade@harbour-grocers.example", 1, 4, [
        ("eggs", 5000, 1890, 0.004), ("apples", 10000, 1650, -0.008), ("sugar", 10000, 980, 0.000),
        ("wheat_flour", 10000, 820, 0.002), ("butter", 5000, 3890, 0.009)]),
    "pantry": ("Dry Goods Union", "sales@dry-goods-union.example", 3, 14, [
        ("sugar", 25000, 2190, 0.001), ("salt", 10000, 420, 0.000), ("yeast", 5000, 1150, 0.003),
        ("cinnamon", 1000, 1480, 0.016)]),
}


def suppliers():
    for supplier, (name, address, lead, rhythm, offers) in SUPPLIERS.items():
        yield {
            "id": supplier, "name": name, "address": address, "lead_time_days": lead, "order_every_days": rhythm,
            "offers": [{
                "ingredient": ingredient, "pack_grams": grams,
                "pack_price_cents_by_week":
                    [round(cents * (1 + drift) ** week * RANDOM.lognormvariate(0, 0.008)) for week in range(WEEKS)],
            } for ingredient, grams, cents, drift in offers],
        }


with open(HERE / "sales.csv", "w", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["bakery", "date", *PRODUCTS])
    writer.writerows(sales())

lines = ",\n".join(
    "  " + json.dumps({**s, "offers": "@"}).replace('"@"', "[\n" + ",\n".join("    " + json.dumps(o) for o in s["offers"]) + "\n  ]")
    for s in suppliers())
(HERE / "suppliers.json").write_text("[\n" + lines + "\n]\n")
