//! Where a row stands in an order.

use std::cmp::Ordering;

/// One component of a row's place in an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SortKey {
    Text {
        value: String,
        descending: bool,
    },
    Number {
        value: f64,
        descending: bool,
    },
    /// Empty values come last in both directions (live probe, third party).
    Empty,
}

impl SortKey {
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Empty, Self::Empty) => Ordering::Equal,
            (Self::Empty, _) | (Self::Text { .. }, Self::Number { .. }) => Ordering::Greater,
            (_, Self::Empty) | (Self::Number { .. }, Self::Text { .. }) => Ordering::Less,
            (Self::Text { value: one, descending }, Self::Text { value: two, .. }) => {
                directed(one.cmp(two), *descending)
            }
            (Self::Number { value: one, descending }, Self::Number { value: two, .. }) => {
                directed(one.total_cmp(two), *descending)
            }
        }
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}
