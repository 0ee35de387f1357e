"""The first rule of the rating, and who may write its results.

Every figure is an assumption: no source gives one (programme.md §2, §8). Numbers with a fraction are texts, as JSON
knows only binary ones.
"""

import datetime as dt

from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

RATING = {
    # What is known this many days after the quarter's end counts: GMV of a quarter is declared after it.
    "closes_days": 15,
    "weights": {"hardware": 30, "operating": 40, "service": 30},
    "inputs": {
        "warehouses": {"weight": 15, "absent": 0, "scale": [[0, 0], [1, 40], [5, 80], [10, 100]]},
        "warehouse_area": {"weight": 20, "absent": 0, "scale": [[0, 0], [1000, 40], [10000, 80], [50000, 100]]},
        "seats": {"weight": 25, "absent": 0, "scale": [[0, 0], [10, 40], [50, 80], [200, 100]]},
        "staff": {"weight": 25, "absent": 0, "scale": [[0, 0], [20, 40], [100, 80], [300, 100]]},
        "systems": {"weight": 15, "absent": 0, "scale": [[0, 0], [1, 50], [3, 100]]},
        "gmv": {
            "weight": 50,
            "absent": 0,
            "scale": [[0, 0], [1000000, 40], [10000000, 60], [100000000, 90], [500000000, 100]],
        },
        "shops": {"weight": 30, "absent": 0, "scale": [[0, 0], [1, 30], [5, 60], [20, 100]]},
        "retention": {"weight": 20, "absent": 60, "scale": [[50, 0], [80, 60], [100, 100]]},
        "complaint_rate": {"weight": 40, "absent": 60, "scale": [[0, 100], [5, 80], [20, 40], [50, 0]]},
        "response_time": {"weight": 30, "absent": 100, "scale": [[0, 100], [12, 90], [24, 70], [48, 20], [72, 0]]},
        "review_mean": {"weight": 30, "absent": 60, "scale": [[1, 0], [3, 40], [4, 75], [5, 100]]},
    },
    "deductions": {
        "violation_points": {"each": 2, "most": 30},
        "upheld_complaints": {"each": "1.5", "most": 15},
    },
    "levels": [
        {"stars": 3, "gmv": 1000000, "score": 50},
        {"stars": 4, "gmv": 10000000, "score": 60},
        {"stars": 5, "gmv": 50000000, "score": 75},
        {"stars": 6, "gmv": 200000000, "score": 85},
    ],
}

VALUES = {
    "rating.rule": RATING,
    # Days after publication in which a provider may dispute an input of its score.
    "rating.dispute_days": 15,
}


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    for name, value in VALUES.items():
        RuleVersion.objects.get_or_create(name=name, version=1, defaults={"value": value, "valid_from": FIRST})


class Migration(migrations.Migration):
    dependencies = [("compliance", "0011_ratings_corrected_and_kept"), ("core", "0004_first_rules")]

    operations = [
        revoke_writes("compliance_score", "compliance_scorecorrection"),
        # The reverse leaves the rows: rules are append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
