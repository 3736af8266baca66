//! Months that are sealed. What the journal says of them is kept beside it, for the day on which the journal is cut.

use super::{Store, StoreError};
use crate::domain::{audit, hours::month::Sealed, journal::What};

/// Memory key: a sealed month.
pub(super) fn month_key(month: &str) -> String {
    format!("month:{month}")
}

impl Store {
    /// A month as it was sealed, if it is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sealed_month(&self, month: &str) -> Result<Option<Sealed>, StoreError> {
        self.recall(&month_key(month)).await
    }

    /// The hash under which the log has last sealed a month; nothing where it never did, or was cut since.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hash_of_month(&self, wanted: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT body FROM event INDEXED BY event_kind WHERE kind = 'month_sealed' ORDER BY n DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Ok(What::MonthSealed { month, hash, .. }) =
                    audit::read(&row.get::<_, String>(0)?).map(|event| event.what)
                    && month == wanted
                {
                    return Ok(Some(hash));
                }
            }
            Ok(None)
        })
    }
}
