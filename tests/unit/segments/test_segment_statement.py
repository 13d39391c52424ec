"""What a statement asks first."""

import datetime as dt
import zoneinfo

from segments.definition import nodes
from segments.definition.compile import Compiler
from segments.definition.evaluate import Moment
from segments.definition.viewer import Strategy, Viewer

EVER = nodes.Ever()
ADDED = nodes.TouchpointCondition("Product Added", nodes.Count(nodes.Bound.AT_LEAST, 1), EVER)
IN_TRANG = nodes.AttributeCondition("province", nodes.Comparison(nodes.Operator.IS, "ตรัง"))
ONE_AFTER_THE_OTHER = nodes.SequenceCondition(
    nodes.Step("Product Viewed"), nodes.Step("Product Added"), nodes.Within(1, nodes.Unit.DAYS), EVER
)
VIEWER = Viewer({"Product Viewed": 1, "Product Added": 2}, {})
MOMENT = Moment(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), zoneinfo.ZoneInfo("Asia/Bangkok"))


def test_cheap_conditions_stand_before_dear_ones_in_every_group() -> None:
    for group in (nodes.All, nodes.Any, nodes.Not):
        asked = Compiler(VIEWER, MOMENT, Strategy.PROBE).predicate(group((ONE_AFTER_THE_OTHER, ADDED, IN_TRANG)))
        text = asked.as_string(None)

        assert text.index("province") < text.index("count(*) >= 1") < text.index("began_at")
