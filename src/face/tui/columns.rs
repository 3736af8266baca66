//! How the columns of a line share its room.

use ratatui::text::Span;

use crate::domain::text::Shown;

/// What a column would like to have, in terminal columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Without so much it is of no use, and is left out.
    pub(crate) least: usize,
    /// With so much nothing of it is cut.
    pub(crate) most: usize,
}

impl Wish {
    /// All of it or nothing.
    pub(crate) fn whole(columns: usize) -> Self {
        Self { least: columns, most: columns }
    }

    /// All of it, or at the least so much.
    pub(crate) fn at_least(least: usize, most: usize) -> Self {
        Self { least: least.min(most), most }
    }
}

/// Shares out the room of a line: each column gets the least that it needs, and then, one after the other, all that it
/// wishes for. Where not even the least fits, the last ones go without.
pub(crate) fn share<const N: usize>(room: usize, wishes: [Wish; N]) -> [usize; N] {
    let (mut left, mut given) = (room, [0; N]);
    for (given, wish) in given.iter_mut().zip(wishes) {
        if wish.least <= left {
            *given = wish.least;
            left -= wish.least;
        }
    }
    for (given, wish) in given.iter_mut().zip(wishes) {
        let more = if *given == wish.least { (wish.most - wish.least).min(left) } else { 0 };
        *given += more;
        left -= more;
    }
    given
}

/// A text in so many columns: cut in the middle where it is longer, filled up where it is shorter.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    let text =
        if Span::raw(text).width() > columns { Shown::of(text).clipped(columns).to_string() } else { text.into() };
    let gap = columns.saturating_sub(Span::raw(&text).width());
    format!("{text}{}", " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_comes_first_is_served_first_and_nobody_gets_more_than_is_there() {
        let wishes = [Wish::at_least(4, 20), Wish::whole(10), Wish::at_least(6, 30)];
        assert_eq!(share(60, wishes), [20, 10, 30]);
        assert_eq!(share(40, wishes), [20, 10, 10]);
        assert_eq!(share(22, wishes), [6, 10, 6]);
        assert_eq!(share(15, wishes), [5, 10, 0], "too little is left for the last");
        assert_eq!(share(0, wishes), [0, 0, 0]);
    }

    proptest! {
        #[test]
        fn no_room_is_given_twice_or_left_while_somebody_is_cut(room in 0_usize..200, wishes: [(u8, u8); 4]) {
            let wishes = wishes.map(|(least, most)| Wish::at_least(least.into(), most.into()));
            let given = share(room, wishes);
            let all: usize = given.iter().sum();
            prop_assert!(all <= room);
            for (given, wish) in given.into_iter().zip(wishes) {
                prop_assert!(given == 0 || (wish.least..=wish.most).contains(&given));
                prop_assert!(given < wish.least || given == wish.most || all == room);
            }
        }
    }

    #[test]
    fn a_text_fills_its_column_whatever_it_is_made_of() {
        for text in ["", "Acme", "顧客株式会社", "Wartung 🚀 und mehr"] {
            for columns in 0..24 {
                assert_eq!(Span::raw(fitted(text, columns)).width(), columns, "{text}");
            }
        }
    }
}
