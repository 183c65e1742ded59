package csvdrop

// OnStep has fn called between any two steps of a Folder, with the name of the one that was done.
func (f *Folder) OnStep(fn func(string)) { f.step = fn }
