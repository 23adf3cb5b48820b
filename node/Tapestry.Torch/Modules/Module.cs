using System.Diagnostics.CodeAnalysis;
using ParameterTensor = Tapestry.Torch.Modules.Parameter;

namespace Tapestry.Torch;

/// <content>The base of every module.</content>
public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Parameters and inner modules under names, in the order of registration.</summary>
        /// <remarks>
        /// Names are joined by dots, as in PyTorch. A parameter that is registered twice (tied weights) is listed once, under its
        /// first name. Disposing a module disposes its parameters.
        /// </remarks>
        public abstract class Module : IDisposable
        {
            private readonly List<(string Name, ParameterTensor Value)> _parameters = [];
            private readonly List<(string Name, Module Value)> _modules = [];

            /// <summary>Whether the module is being trained (dropout acts) or used.</summary>
            public bool training { get; private set; } = true;

            /// <summary>Adds a parameter under a name.</summary>
            /// <returns>The parameter.</returns>
            public ParameterTensor register_parameter(string name, ParameterTensor param)
            {
                ArgumentNullException.ThrowIfNull(param);
                _parameters.Add((name, param));
                return param;
            }

            /// <summary>Adds an inner module under a name.</summary>
            /// <typeparam name="TModule">Its type.</typeparam>
            /// <returns>The module.</returns>
            public TModule register_module<TModule>(string name, TModule submodule)
                where TModule : Module
            {
                ArgumentNullException.ThrowIfNull(submodule);
                _modules.Add((name, submodule));
                return submodule;
            }

            /// <summary>The parameters with their names, each once: own first, then the inner modules', in order.</summary>
            public IEnumerable<(string name, ParameterTensor parameter)> named_parameters(bool recurse = true)
            {
                HashSet<ParameterTensor> seen = [];
                foreach ((string name, ParameterTensor parameter) in Walk("", recurse))
                {
                    if (seen.Add(parameter))
                    {
                        yield return (name, parameter);
                    }
                }
            }

            /// <summary>The parameters, each once.</summary>
            public IEnumerable<ParameterTensor> parameters(bool recurse = true) => named_parameters(recurse).Select(entry => entry.parameter);

            /// <summary>Inner modules with their names.</summary>
            public IEnumerable<(string name, Module module)> named_children() => _modules;

            /// <summary>The parameters by name; the live ones, not copies.</summary>
            public Dictionary<string, Tensor> state_dict() => named_parameters().ToDictionary(entry => entry.name, entry => (Tensor)entry.parameter);

            /// <summary>Copies values into the parameters.</summary>
            /// <param name="source">A tensor for every name of <see cref="state_dict"/>, and, if strict, for no other.</param>
            /// <param name="strict">Whether missing and extra names are refused.</param>
            /// <exception cref="ArgumentException">A name is missing or extra.</exception>
            public void load_state_dict(IReadOnlyDictionary<string, Tensor> source, bool strict = true)
            {
                ArgumentNullException.ThrowIfNull(source);
                Dictionary<string, Tensor> own = state_dict();
                string[] missing = [.. own.Keys.Except(source.Keys)];
                string[] extra = [.. source.Keys.Except(own.Keys)];
                if (strict && missing.Length + extra.Length > 0)
                {
                    throw new ArgumentException($"Missing: {string.Join(", ", missing)}; unknown: {string.Join(", ", extra)}.", nameof(source));
                }

                using IDisposable still = no_grad();
                foreach ((string name, Tensor parameter) in own)
                {
                    if (source.TryGetValue(name, out Tensor? value))
                    {
                        parameter.copy_(value);
                    }
                }
            }

            /// <summary>Moves every parameter to a device. Before an optimiser or <see cref="FlatParameters"/> sees them.</summary>
            /// <returns>This module.</returns>
            public Module to(Device device)
            {
                using DisposeScope scope = NewDisposeScope();
                foreach (ParameterTensor parameter in parameters())
                {
                    using Tensor detached = parameter.detach();
                    parameter.SetData(detached.to(device));
                }

                return this;
            }

            /// <summary>Sets training or use, inner modules included.</summary>
            public void train(bool train = true)
            {
                training = train;
                _modules.ForEach(entry => entry.Value.train(train));
            }

            /// <summary>Sets use, inner modules included.</summary>
            public void eval() => train(false);

            /// <summary>Drops every gradient.</summary>
            public void zero_grad()
            {
                foreach (ParameterTensor parameter in parameters())
                {
                    parameter.grad = null;
                }
            }

            /// <summary>Disposes the parameters.</summary>
            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            /// <summary>Disposes the parameters; what a derived module adds, it disposes here.</summary>
            protected virtual void Dispose(bool disposing)
            {
                if (disposing)
                {
                    foreach (ParameterTensor parameter in parameters().ToArray())
                    {
                        parameter.Dispose();
                    }
                }
            }

            private IEnumerable<(string Name, ParameterTensor Value)> Walk(string prefix, bool recurse)
            {
                foreach ((string name, ParameterTensor parameter) in _parameters)
                {
                    yield return (prefix + name, parameter);
                }

                if (!recurse)
                {
                    yield break;
                }

                foreach ((string name, Module module) in _modules)
                {
                    foreach ((string Name, ParameterTensor Value) inner in module.Walk($"{prefix}{name}.", recurse))
                    {
                        yield return inner;
                    }
                }
            }
        }

        /// <summary>A module that is a function of one argument.</summary>
        /// <typeparam name="T">What it takes.</typeparam>
        /// <typeparam name="TResult">What it gives.</typeparam>
        public abstract class Module<T, TResult> : Module
        {
            /// <summary>The function.</summary>
            public abstract TResult forward(T input);

            /// <summary>The function; the same as <see cref="forward"/>, for TorchSharp's sake.</summary>
            [SuppressMessage("Naming", "CA1716", Justification = "PyTorch's word.")]
            public TResult call(T input) => forward(input);
        }
    }
}
