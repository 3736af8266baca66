//! The console on a terminal in memory, without its loop: for benchmarks and for the pictures of the README.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use super::{
    effect::{Effect, Order},
    keymap::Keymap,
    news::News,
    state::{State, matching::Haystack},
    stroke::Stroke,
    theme::Theme,
    update::{Msg, update},
    view::view,
};
use crate::{domain::plan::Plan, edge::config::ThemeName};

/// A console that is shown a plan, and takes keys. What it would do outside is not done; what it looks for is found at
/// once.
pub struct Film {
    terminal: Terminal<TestBackend>,
    state: State,
    keymap: Keymap,
    plan: Arc<Plan>,
    haystack: Option<Haystack>,
}

impl Film {
    /// The console right after the plan was made, at that time.
    ///
    /// # Panics
    /// A terminal in memory cannot fail.
    pub fn new(plan: Plan, size: (u16, u16), at: Timestamp) -> Self {
        let theme = Theme { name: ThemeName::Terminal, unicode: true };
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("memory does not fail");
        let plan = Arc::new(plan);
        let mut film = Self {
            terminal,
            state: State::new(size, theme, at),
            keymap: Keymap::default(),
            plan: Arc::clone(&plan),
            haystack: None,
        };
        film.take(Msg::News(News::Planned { plan, remembered: Vec::new(), at }));
        film
    }

    /// Presses keys, as the key table spells them, one after the other; each ends in a frame.
    ///
    /// # Panics
    /// Where a key is none.
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let stroke = Stroke::parse(key).expect("a key");
            self.take(Msg::Key(stroke.event()));
        }
    }

    /// Types text into what asks for it.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.take(Msg::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
        }
    }

    pub(super) fn take(&mut self, msg: Msg) {
        let mut effect = update(&mut self.state, &self.keymap, msg);
        self.draw();
        while let Some(Effect::Order(Order::Match(query))) = effect {
            let matches = self.haystack.get_or_insert_with(|| Haystack::new(&self.plan)).find(&query);
            let news = News::Matched { mode: query.mode, number: query.number, matches };
            effect = update(&mut self.state, &self.keymap, Msg::News(news));
            self.draw();
        }
    }

    fn draw(&mut self) {
        let (state, keymap) = (&self.state, &self.keymap);
        self.terminal.draw(|frame| drop(view(state, keymap, frame))).expect("memory does not fail");
    }

    /// How many rows are shown, in the window and out of it.
    pub fn rows(&self) -> usize {
        self.state.reviewing.tree.visible.len()
    }

    /// The last frame.
    pub fn frame(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }
}
