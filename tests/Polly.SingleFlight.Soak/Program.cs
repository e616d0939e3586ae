System.Console.WriteLine("soak");
