"""Data in another form: with holes, small copies, captions, in pairs, few labels, uncut. It imports data's folder."""
