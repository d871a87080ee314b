//! Guards that live across an await.
