//! Months that are sealed. What the journal says of them is kept beside it, for the day on which the journal is cut.

use super::{Store, StoreError, database::Row};
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
        let sql = "SELECT body FROM event INDEXED BY event_kind WHERE kind = 'month_sealed' ORDER BY n DESC";
        let hash = |row: &Row<'_>| match audit::read(row.text(0)?).map(|event| event.what) {
            Ok(What::MonthSealed { month, hash, .. }) if month == wanted => Ok(Some(hash)),
            _ => Ok(None),
        };
        let hashes = self.read(async |database| database.all(sql, &[], hash).await).await?;
        Ok(hashes.into_iter().flatten().next())
    }
}
